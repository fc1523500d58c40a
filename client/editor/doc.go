// Package editor edits lines on a terminal. It knows nothing of what becomes of them.
//
// [Editor] edits on a terminal in raw mode, [Reader] reads lines where nothing is edited, and
// [History] keeps them for both.
//
// # How a line is edited (reading order)
//
// input.go reads bytes only while they are wanted. keys.go cuts them into keys. editor.go finds
// what the keys ask for: changes (changes.go, editing.go), other lines (search.go) and what Tab
// knows (complete.go). layout.go cuts the line into rows, with true widths, and screen.go draws
// those that the screen has room for. When Enter is pressed, expand.go replaces what refers to the
// history (history.go).
//
// reader.go is for a pipe, a file, and a terminal that understands nothing. signals.go says what a
// signal means to both, and errors.go why there is no line.
//
// # Lines
//
// A line may be a text of several rows. A paste is one, and runs when Enter is pressed; so is a
// text that Config.Incomplete says needs more.
//
// A line is at most 1 MiB. One that is longer is refused whole, and never cut.
//
// # Who has the terminal
//
// It is in raw mode only inside Editor.Read. Whatever else would write there meanwhile is held back
// by an [Output], and is shown above the line. Between two lines nothing is read, except that one
// read that was begun, and came to nothing, may be left over: the next line takes it up.
//
// # What it does not do
//
// It runs nothing, and asks for no signals: Config.Signals has those that somebody else asked for.
// It quotes the names that Tab lists; labels and notes are printable when they come here.
package editor
