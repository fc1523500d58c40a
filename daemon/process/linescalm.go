package process

// What takes out the hooks that hold up the lines: a line could never do that, as they hold it up
// too. Each of its lines is a command by itself: a shell goes on with that when its trap for DEBUG
// is ended, and not with a list. In a function of bash that trap is not the user's.
const (
	hookSays = "minissh: what hung in the shell beside the lines (PROMPT_COMMAND, precmd, a trap " +
		"for DEBUG) is taken out\n"

	bashCalm = "\n\\builtin trap - DEBUG\n\\builtin unset PROMPT_COMMAND\n"
	zshCalm  = "\n\\builtin trap - DEBUG\n__minissh_calm\n"
	fishCalm = "__minissh_calm\n" // in place of the line

	zshCalms = `__minissh_calm() {
\builtin unfunction TRAPDEBUG precmd preexec periodic
precmd_functions=() preexec_functions=() periodic_functions=()
\builtin return 0
} 2>/dev/null
`
	fishCalms = `function __minissh_calm
builtin functions --handlers-type generic | while read -l event name
string match -q 'fish_p*' $event; and not string match -q '__*' $name
and builtin functions -e $name
end
return 130
end
`
)
