// Package sftp is an SFTP server (version 3, as OpenSSH's clients speak it) on one pair of streams,
// with the rights of its own process. It runs in a helper process of the user's: it touches the
// user's paths, which may hang.
//
// github.com/pkg/sftp reads and answers packets. Here is what it asks for: server.go has its
// handlers, tree.go the files that they reach (all, or those below one folder), list.go what it
// tells of them, and statfs_*.go what `df` shows. What the library does not do is in requests.go
// and answers.go, which its packets go through, and in extensions.go.
package sftp
