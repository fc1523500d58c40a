//go:build !unix

package outcome

const nonBlocking = 0
