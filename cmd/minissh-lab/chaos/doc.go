// Package chaos is a legal but nasty peer: it sends correct bytes in every way in
// which TCP may deliver them, and then incorrect ones.
//
//	schedules    glued; byte by byte; cut inside the length, the JSON, a character
//	truncations  the end of the connection in the middle of a frame
//	lengths      -1, 2^31-1
//
// A message is cut by a Schedule at its Marks, and Send writes the pieces, each
// only when the other end has read the one before (Separated), so that nothing
// depends on luck. Where the system cannot tell what the other end has read, a
// pause takes its place.
package chaos
