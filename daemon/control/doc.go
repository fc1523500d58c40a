// Package control is where people ask a running daemon: minisshd who, end and pair.
//
// desk.go is the Desk with what can be asked, socket.go the sockets where it listens, ask.go the
// asker's end. who.go knows the sessions. pairing.go has the codes with which clients add their
// keys; pairing_ask.go shows codes to whoever asks for them.
package control
