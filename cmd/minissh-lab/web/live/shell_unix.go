//go:build unix

package live

// shell runs the list's lines, whatever shell the account has.
func shell(string) string { return "/bin/sh" }
