# Completion of minissh for bash. minissh itself says what may come next; where it says nothing,
# names of files are offered.
_minissh() {
	local i words word before candidate list
	read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
	[[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
	word=${words[${#words[@]}-1]}
	COMPREPLY=()
	list=$("${words[0]}" --complete "${words[@]:1}" 2>/dev/null) || return
	# bash cuts words after = and : and before @ too, and wants the last piece only.
	before=
	for ((i = ${#word} - 1; i >= 0; i--)); do
		if [[ ${word:i:1} == [=:@] && $COMP_WORDBREAKS == *"${word:i:1}"* ]]; then
			before=${word:0:i+1}
			before=${before%@}
			break
		fi
	done
	while IFS=$'\t' read -r candidate _; do
		[[ -n $candidate ]] && COMPREPLY+=("${candidate#"$before"}")
	done <<<"$list"
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:] ]] && compopt -o nospace 2>/dev/null
}
complete -o bashdefault -o default -F _minissh minissh
