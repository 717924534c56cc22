# Prints what could follow a line, with the completions loaded, without the explanations.
# Usage: fish --no-config complete.fish SCRIPT LINE
source $argv[1]
for word in (complete -C $argv[2])
  string split \t -- $word | head -n 1
end
