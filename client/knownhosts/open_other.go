//go:build !unix

package knownhosts

const nonBlocking = 0
