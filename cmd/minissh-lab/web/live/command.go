package live

import (
	"runtime"
	"slices"
)

// Command is one that may be run.
type Command struct {
	Name string `json:"name"` // what the page asks for
	Line string `json:"line"` // what the account's shell runs, in a fresh folder with samples
}

// Commands is the whole list.
func Commands() []Command {
	if runtime.GOOS == "windows" {
		return []Command{{"dir", "dir /b"}, {"echo", "echo hello"}, {"exit7", "exit 7"}}
	}
	return []Command{
		{"ls", "ls"},
		{"echo", "echo hello"},
		{"cat", "cat 你好.txt"},
		{"missing", "ls /nope"},
		{"exit7", "exit 7"},
		{"twice", "echo 1; sleep 0.2; echo 2"},
		{"big", "cat big.txt"},
	}
}

// Find returns the command of that name; false when it is not on the list.
func Find(name string) (Command, bool) {
	all := Commands()
	i := slices.IndexFunc(all, func(c Command) bool { return c.Name == name })
	if i < 0 {
		return Command{}, false
	}
	return all[i], true
}
