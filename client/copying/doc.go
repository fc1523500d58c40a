// Package copying is what `minissh cp` needs beside the connection: its command line (args.go, address.go), what a person or a program sees of a
// transfer (progress.go, lines.go).
package copying
