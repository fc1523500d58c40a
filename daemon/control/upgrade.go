package control

import (
	"context"
	"encoding/json"
)

// UpgradeInfo is the answer to "upgrade".
type UpgradeInfo struct {
	PID int `json:"pid"` // of the new daemon
}

// upgrade has the daemon replaced, and answers when the new one serves.
func upgrade(ctx context.Context, d *Desk, _ json.RawMessage, _ func(any) error) (any, error) {
	if d.Generation == nil {
		return nil, &Error{"this minisshd has no supervisor, and cannot be replaced while it runs",
			"start it as a service, or with: minisshd --supervisor yes"}
	}
	// it has its own deadline, and goes on without its asker
	done, err := d.Generation.Upgrade(context.WithoutCancel(ctx))
	switch {
	case err != nil:
		return nil, err
	case done.PID == 0:
		return nil, &Error{"the new minisshd did not start, and the old one serves on: " + done.Err,
			done.Fix}
	}
	return UpgradeInfo{done.PID}, nil
}
