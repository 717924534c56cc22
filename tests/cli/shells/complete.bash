# Types each line into an interactive bash that has loaded the completions, asks what could follow, and prints what it
# shows behind a line "=== NUMBER".
# Usage: bash complete.bash SCRIPT LINE...
{
  printf '%s\n' "PS1= TERM=dumb; stty -echo cols 200" "source '$1'" "ftpsd() { echo \"run: \$*\"; }"
  printf '%s\n' "bind 'set show-all-if-ambiguous on'; bind 'set bell-style none'; bind 'set completion-query-items 0'"
  printf '%s\n' "bind 'set page-completions off'; bind 'set enable-bracketed-paste off'"
  shift
  number=0
  for line; do
    printf '%s\n' "echo '='== $number"
    printf '%s\t\n' "$line"
    number=$((number + 1))
  done
  printf '%s\n' exit
} | script -qec "bash --norc --noprofile -i" /dev/null
