# Prints what could follow a line, with the completions loaded, without the explanations.
# Usage: fish --no-config complete.fish SCRIPT LINE
source $argv[1]
complete -C $argv[2] | string replace -r '\t.*' ''
