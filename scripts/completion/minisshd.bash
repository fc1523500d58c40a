# Completion of minisshd for bash: minisshd itself lists its options and verbs; after an option's
# name, names of files are offered.
_minisshd() {
	local words list candidate cur=${COMP_WORDS[COMP_CWORD]}
	words=("${COMP_WORDS[@]:0:COMP_CWORD}")
	COMPREPLY=()
	[[ " ${words[*]} " == *" -- "* ]] && return # it would be run
	[[ $cur == -* ]] && words+=("-")
	list=$("${words[@]}" --generate-bash-completion 2>/dev/null) || return
	while IFS=: read -r candidate _; do
		[[ -n $candidate && $candidate == "$cur"* ]] && COMPREPLY+=("$candidate")
	done <<<"$list"
}
complete -o bashdefault -o default -F _minisshd minisshd
