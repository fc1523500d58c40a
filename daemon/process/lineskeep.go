package process

// bashKeeps keeps from one line to the next what each command of ours changes: $_ and PIPESTATUS.
// The text itself notes them at its end, so nothing is added where it might become a part of the
// text: of a here-document, of a comment, or of what is not complete. PIPESTATUS is as it was if
// the next text asks for it. Under set -x all this would be seen.
const bashKeeps = `__minissh_first= __minissh_last= __minissh_codes=()
__minissh_note() {
if \builtin [ -n "$__minissh_notes" ]; then
__minissh_text=$__minissh_text'__minissh_own=$?'$__minissh_nl
\builtin return
fi
if \builtin [ ${#__minissh_text} -le 65536 ]; then
__minissh_l=${__minissh_text%"${__minissh_text##*[![:space:]]}"}
else
__minissh_l=
fi
case $__minissh_text in
*PIPESTATUS*) __minissh_codes_again ;;
esac
__minissh_first=$__minissh_last __minissh_last= __minissh_codes=()
case $- in *x*) \builtin return ;; esac
case $__minissh_l in
""|*"<<"*|*\\|*"|"|*"&&"|*"|&"|*"()") \builtin return ;;
esac
case ${__minissh_l##*"$__minissh_nl"} in
*"#"*|for*|select*|case*|function*) \builtin return ;;
esac
__minissh_text=$__minissh_text'__minissh_own=$? __minissh_last=$_ '
__minissh_text=$__minissh_text'__minissh_codes=("${PIPESTATUS[@]}")'$__minissh_nl
}
__minissh_codes_again() {
\builtin [ "${#__minissh_codes[@]}" -gt 1 ] || \builtin return
\builtin [ "$__minissh_s" = "${__minissh_codes[-1]}" ] || \builtin return
__minissh_n=$(\builtin printf ' | (exit %s)' "${__minissh_codes[@]}")
__minissh_text=${__minissh_n#" | "}$__minissh_nl$__minissh_text
}
`
