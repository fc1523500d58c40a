package dial

// SetLinkMost makes links wear sooner than SE8 has it.
func (d *Dialer) SetLinkMost(bytes int64) { d.linkMost = bytes }
