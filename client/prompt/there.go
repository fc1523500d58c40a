package prompt

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"minissh/client/editor"
	"minissh/client/run"
	"minissh/client/syntax"
	"minissh/client/terminal"
	"minissh/protocol"
)

// namesTime is how long the other side may take to list names.
const namesTime = 2 * time.Second

// mostOfNames is the most that the names of an answer may have, in bytes: a thousand of the longest
// hardly have so much.
const mostOfNames = 1 << 20

var errTooManyNames = errors.New("the other side lists names without end")

// names asks the shell for the names that begin so (LI6).
func (r *runner) names(ctx context.Context, kind, word string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, namesTime)
	defer cancel()
	s, err := r.there(ctx, r.conn.Session.Done())
	if s == nil {
		return nil, err
	}
	ch, err := r.conn.Session.Open(&protocol.Open{Service: "lines", In: int64(s.ch.ID()),
		Complete: &protocol.Complete{Kind: kind, Word: protocol.Bytes(word)}})
	if err != nil {
		return nil, err
	}
	defer ch.Close(nil)
	stop := context.AfterFunc(ctx, func() {
		ch.Close(&protocol.Reason{Code: protocol.CodeCancelled})
	})
	defer stop()
	var text strings.Builder
	_, err = run.Follow(ch, run.Streams{Stdout: writerFunc(func(p []byte) (int, error) {
		if text.Len()+len(p) > mostOfNames {
			return 0, errTooManyNames
		}
		return text.Write(p)
	}), Stderr: writerFunc(func(p []byte) (int, error) { return len(p), nil })})
	return strings.FieldsFunc(text.String(), func(c rune) bool { return c == '\n' }), err
}

// complete is Config.Complete: it asks the other side for commands, variables and names of files,
// and this one after `put` and in a line that is for it.
func (r *runner) complete(ctx context.Context, line string, pos int) editor.Completion {
	if isForHere(line[:pos]) {
		return completeFiles(ctx, line, pos)
	}
	begin, redirected := after(line[:pos], operators), false
	if file := after(line[:pos], "<>"); file > begin {
		begin, redirected = file, true
	}
	from, word, quoted := wordBefore(line[begin:pos])
	if from < 0 {
		return editor.Completion{From: -1}
	}
	kind := protocol.KindPath
	name, isVariable := variableBefore(line[begin+from : pos])
	switch {
	case isVariable && quoted != '\'':
		kind, word, from = protocol.KindVariable, name, pos-len(name)-begin
	case quoted == 0 && !redirected && !strings.Contains(word, "/") &&
		isCommand(line[begin:begin+from]):
		kind = protocol.KindCommand
	}
	found := editor.Completion{From: begin + from}
	variable := ""
	if kind == protocol.KindPath {
		word, variable = pathAsked(line[begin+from:pos], word)
	}
	names, _ := r.names(ctx, kind, word)
	for _, name := range names {
		if !answers(name, kind, word) {
			continue
		}
		c := editor.Candidate{Text: shellWord(name, 0), Display: name}
		switch {
		case kind == protocol.KindPath:
			c = editor.Candidate{Text: wordAfter(variable, name, quoted), Display: lastPart(name)}
		case kind == protocol.KindVariable && line[from+begin-1] == '{':
			c.Text = name + "}"
		case kind == protocol.KindVariable && quoted == '"':
			c.Text = name
		}
		found.Candidates = append(found.Candidates, c)
	}
	return found
}

// longestName is the longest name that is taken, in bytes: no system has a longer path.
const longestName = 4096

// answers says whether a name is what was asked for. The other side may say anything, and this goes
// into the user's line.
func answers(name, kind, word string) bool {
	if len(name) > longestName || !strings.HasPrefix(name, word) ||
		terminal.Printable(name) != name {
		return false
	}
	switch kind {
	case protocol.KindPath:
		return !hidden(name, word)
	case protocol.KindVariable:
		return !strings.ContainsFunc(name, notInName)
	}
	return true
}

// pathAsked is what is asked for a path that is typed so: with the variable that it begins with,
// which the shell there expands as it does ~. If quotes keep it from that, the path is another one.
func pathAsked(typed, word string) (ask, variable string) {
	switch {
	case strings.HasPrefix(strings.TrimPrefix(typed, `"`), "$"):
		variable, _, _ = strings.Cut(word, "/")
		return word, variable
	case strings.HasPrefix(word, "$"), strings.HasPrefix(word, "~") && typed[0] != '~':
		return "./" + word, ""
	}
	return word, ""
}

// wordAfter is shellWord of a path that begins with a variable.
func wordAfter(variable, name string, quoted byte) string {
	rest, found := strings.CutPrefix(name, variable)
	switch {
	case variable == "" || !found:
		return shellWord(name, quoted)
	case quoted == '"':
		return `"` + variable + shellWord(rest, quoted)[1:]
	}
	return variable + shellWord(rest, quoted)
}

// variableBefore is the beginning of a variable's name at the end of a word, after $ or ${.
func variableBefore(word string) (name string, found bool) {
	after := strings.LastIndexByte(word, '$') + 1
	name = strings.TrimPrefix(word[after:], "{")
	escaped := strings.HasSuffix(word[:max(0, after-1)], `\`)
	return name, after > 0 && !escaped && !strings.ContainsFunc(name, notInName)
}

func notInName(c rune) bool { return c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) }

// hidden says whether a name begins with a dot, and the word that was typed does not.
func hidden(name, word string) bool {
	last := word[strings.LastIndexByte(word, '/')+1:]
	return last == "" && strings.HasPrefix(lastPart(name), ".")
}

// lastPart is a name without the folders in front of it.
func lastPart(name string) string {
	return name[strings.LastIndexByte(strings.TrimSuffix(name, "/"), '/')+1:]
}

// operators come before a command.
const operators = ";|&(\n`"

// after is where the text begins that follows the last of some characters, in bytes.
func after(text, characters string) (begin int) {
	for i, c := range syntax.Unquoted(text) {
		if strings.IndexByte(characters, c) >= 0 {
			begin = i + 1
		}
	}
	return begin
}

// isCommand says whether a command's name comes after these words.
func isCommand(before string) bool {
	words, err := fileWords(before)
	return err == nil && !slices.ContainsFunc(words, func(word string) bool {
		return word != "pty" && word != "nopty" && word != "sudo" && word != "{" && word != "!" &&
			!slices.Contains(starters, word) && !strings.Contains(word, "=") &&
			!slices.Contains([]string{"if", "then", "else", "elif", "while", "until", "do"}, word)
	})
}

// shellWord writes a name so that a shell reads it as one word, with the quote that is open. The
// name of a folder may go on.
func shellWord(name string, quoted byte) string {
	closing := " "
	if strings.HasSuffix(name, "/") {
		closing = ""
	}
	switch quoted {
	case '\'':
		if closing != "" {
			closing = "' "
		}
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + closing
	case '"':
		if closing != "" {
			closing = `" `
		}
		inside := strings.NewReplacer(`"`, `\"`, `\`, `\\`, "$", `\$`, "`", "\\`").Replace(name)
		return `"` + inside + closing
	}
	var b strings.Builder
	for i, c := range []byte(name) {
		plain := c >= 0x80 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' ||
			c >= '0' && c <= '9' || strings.IndexByte("_@%+=:,./-", c) >= 0 || c == '~' && i == 0
		if !plain {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String() + closing
}
