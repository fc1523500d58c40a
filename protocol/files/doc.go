// Package files is the service that copies files (FILES.md next to PROTOCOL.md): records, what
// sends them and what receives them, over any two streams. Both ends use it, in both directions: it
// knows no sockets, channels or keys.
//
// The nouns: a sender walks sources and streams records; a receiver puts what they describe below a
// target folder, and answers. A partial file is what a file is written into until it is whole.
//
// Reading order: record.go and parse.go (the codec), name.go (which names are taken), sender.go,
// walk.go, content.go (from the disk to the stream), receiver.go, contents.go, partial.go,
// folders.go, twins.go (from the stream to the disk), offer.go (what is there already), tap.go (a
// stream between two hosts).
//
// What it does not do: owners, extended attributes, holes, hard links as such, devices, deleting
// what the source does not have.
package files
