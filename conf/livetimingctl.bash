# bash completion for livetimingctl: the program itself knows the candidates,
# and asks the daemon for the names of plugins and services.
_livetimingctl()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}

	COMPREPLY=()
	if [[ $before == -s || $before == --socket ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	fi
	mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

# The original's commands that work on files are nouns of livetimingctl.
_livetiming_on_files()
{
	local noun

	case ${COMP_WORDS[0]##*/} in
	livetiming-rectool) noun=(rectool) ;;
	livetiming-analysis) noun=(analysis) ;;
	livetiming-schedule) noun=(schedule) ;;
	*) noun=(recordings index) ;;
	esac
	mapfile -t COMPREPLY < <(livetimingctl complete "${noun[@]}" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _livetimingctl livetimingctl
complete -o default -F _livetiming_on_files livetiming-rectool livetiming-analysis livetiming-recordings-index livetiming-schedule
