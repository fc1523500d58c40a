// Package client is what minissh does, in packages of their own. This page is the way of one
// command, `minissh host uname -a`, from the words that were typed to the daemon, and back.
//
// # There
//
//  1. cmd/minissh/main.go: start sees that host is not a verb; parse has the words read.
//  2. options/parse.go, options/config.go: ssh's grammar and its configuration files give an
//     Options: all values resolved. cmd/minissh/main.go makes a dial.Dialer of it.
//  3. run/command.go: Command says whether a pty is wanted, and calls Dial. What it wants of the
//     new session it gives along as a function, prepare. That is the one call back up.
//  4. dial/dial.go: login.run goes through the keys that dial/keyring.go found, one connection
//     each. dial/network.go makes it (TCP, with protocol/names/names.go for the address), or
//     dial/proxy.go has a program make it (ProxyCommand); dial/secure.go does the TLS handshake
//     over it with protocol/transport/tls.go, and shows the host's key to dial/hostkey.go, which
//     asks knownhosts/check.go.
//  5. dial/dial.go: enter makes a session (protocol/mux/session.go) and calls prepare.
//     run/command.go opens a channel with the request: OPEN is queued (protocol/mux/channel.go),
//     nothing is sent.
//  6. protocol/mux/link.go: Connect sends HELLO and OPEN in one write, and waits for WELCOME.
//  7. run/command.go: feed reads standard input, and the session's writer (protocol/mux/writer.go)
//     makes frames of it.
//
// # And back
//
//  8. protocol/mux/receive.go puts what comes into the channel's queue. run/command.go: Follow
//     takes it from there and writes it to standard output and standard error, until EXIT and
//     CLOSE.
//  9. run/outcome.go turns EXIT into an exit code and words; run/signals.go has meanwhile passed
//     Ctrl-C on, and run/notices.go what the daemon noticed.
//  10. cmd/minissh/main.go ends the process with that code.
//
// If something goes wrong at 4 to 6, dial/refused.go says why; from 7 on run/outcome.go does. Both
// give a report.Failure (report/failure.go): what went wrong, and what to type.
//
// # When the link breaks
//
// dial/resume.go keeps the session: it notices by protocol/mux/doubt.go that a link is lost or in
// doubt, and makes another (dial/redial.go). It tells whoever watches. By itself that is
// dial/lost.go, in lines. On a terminal run/linkless.go takes its place, with run/overlay.go for
// the message over the screen and run/typeahead.go for the keys; at the prompt prompt/linkless.go;
// and for a copy cp/linkless.go. run/unknown.go says what is known of a command whose session did
// not come back.
//
// # The others
//
// forward/forward.go carries connections through the session (-L, -D), and run/stdio.go one on our
// standard streams (-W). On a pty run/shell.go takes the place of 7 and 8, with the user's terminal
// in terminal/terminal.go. cp/cp.go copies files, prompt/runner.go runs the lines of `minissh
// prompt`, which editor/editor.go edits, dial/pair.go makes a host known, and master/master.go owns
// a ControlPath. job/job.go starts jobs, which go on without their client, and goes back to them;
// outcome/outcome.go writes what became of a command as JSON. fanout/fanout.go does all this on
// many hosts at once, whose names nodeset/nodeset.go reads and groups/groups.go knows; lan/find.go
// finds those on the LAN. atexit/atexit.go gives the terminal back if the process must end at once.
// The shells' completion is in completion/completion.go. fakedaemon/fakedaemon.go is the far end of
// tests, and faketerminal/faketerminal.go is their screen.
//
// A package imports those that come before it on this way, never one after it:
// scripts/inside_test.go holds the table.
package client
