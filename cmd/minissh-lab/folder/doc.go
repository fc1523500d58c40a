// Package folder is the guarded directory in which the file dialects read and
// save.
//
// The course's programs put the name that came over the network straight into
// open(): `get ../../etc/passwd` works on them. Here every access goes through
// os.Root, names are checked first, nothing is ever overwritten, and size and
// number of what is saved are bounded.
package folder
