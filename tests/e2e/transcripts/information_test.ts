import { OPENED, testTranscript } from "../../helpers/transcript.ts";

testTranscript("OPTS MLST chooses facts, in the client's order", [
  ["OPTS MLST type;perm;size;modify;", "200 MLST OPTS type;perm;size;modify;"],
  ["OPTS MLST Size;TYPE;nonsense;", "200 MLST OPTS size;type;"],
  ["FEAT", /\n MLST type\*;perm;size\*;modify;unique;unix\.mode;unix\.uid;unix\.gid;\n/],
  ["MLST file", '250-Listing "/file":\n size=10;type=file; /file\n250 End MLST.'],
  ["OPTS MLST", "200 MLST OPTS "],
  ["FEAT", /\n MLST type;perm;size;modify;unique;unix\.mode;unix\.uid;unix\.gid;\n/],
  ["MLST file", '250-Listing "/file":\n  /file\n250 End MLST.'],
]);

testTranscript("OPTS refuses what it does not know", [
  ["OPTS MLST type", "501 Invalid argument."],
  ["OPTS MLST type; size;", "501 Invalid number of arguments."],
  ["OPTS NOOP", '501 Unsupported command "NOOP".'],
  ["OPTS UTF8", "200 Always in UTF8 mode."],
  ["OPTS UTF8 ON", "200 Always in UTF8 mode."],
  ["OPTS UTF8 OFF", "200 Always in UTF8 mode."],
  ["OPTS UTF-8", "200 Always in UTF8 mode."],
  ["OPTS utf8 on", "200 Always in UTF8 mode."],
]);

testTranscript("HELP", [
  ["HELP", /^214-The following commands are recognized:\n( [A-Z]+ *)+\n/],
  ["HELP NOOP", /^214 Syntax: NOOP\b/],
  ["HELP noop", /^214 Syntax: NOOP\b/],
  ["HELP XPWD", /^214 Syntax: PWD\b/],
  ["HELP SITE CHMOD", /^214 Syntax: SITE CHMOD\b/],
  ["HELP ?!?", "501 Unrecognized command."],
]);

testTranscript("SITE HELP", [
  ["SITE HELP", /^214-The following SITE commands are recognized:\n CHMOD\n HELP\n/],
  ["SITE HELP HELP", /^214 Syntax: /],
  ["SITE HELP help", /^214 Syntax: /],
  ["SITE HELP chmod", /^214 Syntax: SITE CHMOD\b/],
  ["SITE HELP ?!?", "501 Unrecognized SITE command."],
]);

testTranscript("STAT shows the session", [
  [
    "STAT",
    /^211-FTP server status:\n Connected to: 127\.0\.0\.1:\d+\n Logged in as: user\n TYPE: ASCII; STRUcture: File; MODE: Stream\n Data connection closed\.\n211 End of status\.$/,
  ],
  ["EPSV", /^229 /],
  ["STAT", /\n Passive data channel waiting for connection\.\n211 End of status\.$/],
  OPENED,
  [
    "STAT",
    /\n Data connection open:\n Total bytes sent: 0\n Total bytes received: 0\n Transfer elapsed time: 0\.0 secs\n211 End/,
  ],
  ["USER user", /^331 /],
  ["STAT", /\n Waiting for password\.\n/],
]);

testTranscript("STAT with a path lists on the control connection", [
  ["STAT /", /^212-Status of "\/":\nd.* dir\n-.* file\n212 End of status\.$/],
  ["STAT -l", /^212-Status of "\/":\nd.* dir\n-.* file\n212 End of status\.$/],
  ["STAT -la dir", /^212-Status of "\/dir":\n-.* inner\n212 End of status\.$/],
  ["STAT file", /^213-Status of "\/file":\n-.* file\n213 End of status\.$/],
  ["STAT *", /^212-Status of "\/\*":\nd.* dir\n-.* file\n212 End of status\.$/],
  ["STAT fil?", /^212-Status of "\/fil\?":\n-.* file\n212 End of status\.$/],
  ["STAT [!f]*", /^212-Status of "\/\[!f\]\*":\nd.* dir\n212 End of status\.$/],
  ["STAT *.zip", '212-Status of "/*.zip":\n212 End of status.'],
  ["STAT nothing", "550 No such file or directory."],
]);
