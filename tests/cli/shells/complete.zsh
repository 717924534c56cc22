# Types each line into an interactive zsh that has loaded the completions, asks what could follow, and prints what it shows
# behind a line "=== NUMBER".
# Usage: zsh -f complete.zsh SCRIPT LINE...
zmodload zsh/zpty
zpty shell "TERM=dumb zsh -f -i"
zpty -w shell "PS1='' PS2='' LISTMAX=0; unsetopt zle_bracketed_paste prompt_cr; stty -echo cols 200 rows 100"
zpty -w shell "autoload -Uz compinit && compinit -u -D && source ${(q)1}"
zpty -w shell "mark() { print -r -- 'EN'D }; zle -N mark; bindkey '^I' list-choices; bindkey '^T' mark; print 'REA'DY"
until [[ $shown == *READY* ]]; do zpty -r shell shown || exit 1; done
for number in {2..$#}; do
  print "=== $((number - 2))"
  zpty -w -n shell "${argv[number]}"$'\t\x14'
  until [[ $shown == *END* ]]; do zpty -r shell shown || exit 1; print -rn -- "$shown"; done
  shown=
  # Ctrl-U empties the line.
  zpty -w -n shell $'\x15'
done
zpty -d shell
