import { BASIC_FTP } from "./basic_ftp.ts";
import { testClient } from "./client_suite.ts";

testClient(BASIC_FTP);
