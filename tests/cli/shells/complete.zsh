# Types a line into an interactive zsh that has loaded the completions, asks what could follow, and prints what it shows.
# Usage: zsh -f complete.zsh SCRIPT LINE
zmodload zsh/zpty
zpty shell "COLUMNS=200 LINES=100 TERM=dumb zsh -f -i"
zpty -w shell "PS1='' PS2='' LISTMAX=0; unsetopt zle_bracketed_paste prompt_cr; stty -echo cols 200 rows 100"
zpty -w shell "autoload -Uz compinit && compinit -u -D && source ${(q)1}"
zpty -w shell "mark() { print -r -- 'EN'D }; zle -N mark; bindkey '^I' list-choices; bindkey '^X' mark; print 'REA'DY"
until [[ $line == *READY* ]]; do zpty -r shell line || exit 1; done
zpty -w -n shell "$2"$'\t\x18'
until [[ $line == *END* ]]; do zpty -r shell line || exit 1; print -rn -- "$line"; done
zpty -d shell
