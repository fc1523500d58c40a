package prompt

import (
	"path"
	"slices"
	"strings"
)

// fullScreen are programs that a person starts at a prompt to use them on a terminal.
var fullScreen = []string{
	"vi", "vim", "nvim", "view", "vimdiff", "nano", "pico", "emacs", "joe", "jed", "micro", "hx",
	"less", "more", "most", "man", "info", "top", "htop", "atop", "btop", "iotop", "iftop",
	"nethogs", "watch", "mc", "ranger", "nnn", "lf", "tmux", "screen", "byobu", "zellij",
	"ssh", "telnet", "ftp", "sftp", "passwd", "su", "sudo", "sudoedit", "visudo", "vipw",
	"dialog", "whiptail", "tig", "lazygit", "ncdu", "cfdisk", "gdb", "script", "fg",
	"mysql", "psql", "sqlite3", "redis-cli",
}

// starters run what follows them.
var starters = []string{"command", "env", "exec", "nice", "time", "builtin", "doas"}

// interpreters want a terminal if they are given nothing to do.
var interpreters = []string{"python", "python3", "bash", "sh", "zsh", "fish", "dash", "node",
	"irb", "ruby", "lua", "ghci", "bc", "perl", "php", "R"}

// asking are programs that begin an editor, or ask, if one of these words follows.
var asking = map[string][]string{
	"git": {"commit", "rebase", "merge", "revert", "cherry-pick", "pull", "-p", "-i", "--patch",
		"--interactive"},
	"crontab": {"-e"}, "systemctl": {"edit"}, "kubectl": {"edit", "-it", "-ti"},
	"docker": {"-it", "-ti"}, "podman": {"-it", "-ti"},
	"apt":     {"install", "remove", "purge", "upgrade", "full-upgrade", "autoremove"},
	"apt-get": {"install", "remove", "purge", "upgrade", "dist-upgrade", "autoremove"},
	"dnf":     {"install", "remove", "upgrade", "autoremove"},
}

// onTerminal says whether a line is for a terminal by its name: a program that fills the screen or
// asks a question, whose input and output are not led elsewhere.
func onTerminal(line string) bool {
	for _, pipeline := range commands(line) {
		words := pipeline[len(pipeline)-1]
		for len(words) > 0 && (strings.Contains(words[0], "=") ||
			slices.Contains(starters, words[0])) {
			words = words[1:]
		}
		if len(words) == 0 {
			continue
		}
		name := path.Base(words[0])
		asks := func(w string) bool { return slices.Contains(asking[name], w) }
		fed := slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "<") })
		led := slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, ">") })
		switch {
		case led:
		case slices.Contains(fullScreen, name), slices.ContainsFunc(words[1:], asks),
			name == "read" && len(pipeline) == 1 && !fed:
			return true
		case slices.Contains(interpreters, name) && len(words) == 1 && len(pipeline) == 1:
			return true
		}
	}
	return false
}

// commands cuts a line into pipelines, and those into the words of their commands. It knows quotes
// and no more: who is mistaken for a command is one that a person hardly writes.
func commands(line string) (pipelines [][][]string) {
	var words []string
	var pipeline [][]string
	var word strings.Builder
	begun, quote := false, rune(0)
	endWord := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	endCommand := func() {
		if endWord(); len(words) > 0 {
			pipeline = append(pipeline, words)
		}
		words = nil
	}
	endPipeline := func() {
		if endCommand(); len(pipeline) > 0 {
			pipelines = append(pipelines, pipeline)
		}
		pipeline = nil
	}
	escaped, before := false, rune(0)
	for _, c := range line {
		last := before
		before = c
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, begun = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, begun = c, true
		case c == ' ' || c == '\t':
			endWord()
		case c == '|' && last != '|':
			endCommand()
		case c == '&' && last == '>' || c == '>' && last == '&':
			word.WriteRune(c)
		case c == ';' || c == '&' || c == '|' || c == '\n' || c == '(' || c == ')' || c == '{':
			endPipeline()
		case c == '>':
			if word.String() != "2" { // standard error alone may be led elsewhere
				endWord()
			}
			begun = true
			word.WriteRune(c)
		default:
			begun = true
			word.WriteRune(c)
		}
	}
	endPipeline()
	return pipelines
}
