package process

import (
	"errors"
	"fmt"
	"time"
)

// confirmTime bounds how long Kill waits for killed processes to be gone: one
// in an uninterruptible system call dies only when that returns.
const confirmTime = 5 * time.Second

// survivors wraps ErrSurvivors with names, and with why if it is known.
func survivors(left []Survivor, why error) error {
	return errors.Join(fmt.Errorf("%w: %v", ErrSurvivors, left), why)
}
