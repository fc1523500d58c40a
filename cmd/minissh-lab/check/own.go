package check

// ownCheck is the last lesson's: a client of this project's own protocol.
func ownCheck() *Check { return &Check{Lesson: "own", Port: 7422} }
