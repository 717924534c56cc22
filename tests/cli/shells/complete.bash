# Types a line into an interactive bash that has loaded the completions, asks what could follow, and prints what it shows.
# Usage: bash complete.bash SCRIPT LINE
{
  printf '%s\n' "PS1= TERM=dumb; stty -echo cols 200" "source '$1'" "ftpsd() { echo \"run: \$*\"; }"
  printf '%s\n' "bind 'set show-all-if-ambiguous on'; bind 'set bell-style none'; bind 'set completion-query-items 0'"
  printf '%s\n' "bind 'set page-completions off'; bind 'set enable-bracketed-paste off'; echo 'REA'DY"
  printf '%s\t\n' "$2"
  printf '%s\n' "echo 'EN'D" exit
} | script -qec "bash --norc --noprofile -i" /dev/null
