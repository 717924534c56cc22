# Prints what could follow each line, with the completions loaded, behind a line "=== NUMBER".
# Usage: fish --no-config complete.fish SCRIPT LINE...
source $argv[1]
set number 0
for line in $argv[2..]
  echo "=== $number"
  for word in (complete -C $line)
    # Without the explanation.
    string split \t -- $word | head -n 1
  end
  set number (math $number + 1)
end
