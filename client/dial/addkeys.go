package dial

import (
	"fmt"
	"strings"

	"minissh/client/terminal"
	"minissh/protocol/keys"
)

// load is the private half of a key. One that comes from its file is handed to the agent, if the
// options say so.
func (r *keyRing) load(c *candidate, asker terminal.Asker) (*keys.Identity, error) {
	fromFile := c.identity == nil
	id, err := c.load(r.shared, asker)
	if err == nil && fromFile && r.shared.first(c.source) {
		r.toAgent(id, c.source, asker)
	}
	return id, err
}

// toAgent hands a key that was just read from its file to the agent, if AddKeysToAgent says so
// (ssh_config(5)). A failure is told with -v, as in ssh: the login needs no agent.
func (r *keyRing) toAgent(id *keys.Identity, file string, asker terminal.Asker) {
	how := r.options.AddKeys
	if !how.Add || r.options.IdentityAgent == "" {
		return
	}
	if how.Ask {
		if asker == nil {
			return
		}
		answer, err := asker.Line(fmt.Sprintf("Add key %s (%s) to agent? (yes/no) ", file,
			keys.Fingerprint(id.Public)))
		if err != nil || !strings.EqualFold(strings.TrimSpace(answer), "yes") {
			r.messages.Debug("the key %s is not handed to the agent", file)
			return
		}
	}
	if err := keys.AddToAgent(r.options.IdentityAgent, id, file, how.Lifetime,
		how.Confirm); err != nil {
		r.messages.Debug("the key %s is not handed to the agent: %v", file, err)
		return
	}
	r.messages.Debug("the key %s is in the agent now", file)
}
