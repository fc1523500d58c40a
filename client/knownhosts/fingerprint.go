package knownhosts

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
)

// sums are the fingerprints of the entries, made when they are first asked for.
type sums struct {
	mu   sync.Mutex
	list []string
}

func (db *DB) fingerprints() []string {
	db.sums.mu.Lock()
	defer db.sums.mu.Unlock()
	for _, e := range db.entries[len(db.sums.list):] {
		sum := sha256.Sum256(e.encoded)
		db.sums.list = append(db.sums.list,
			"SHA256:"+base64.RawStdEncoding.EncodeToString(sum[:]))
	}
	return db.sums.list
}

// CheckFingerprint is Check for a host that has not shown its key: what it says about itself, with
// a fingerprint as ssh-keygen -l writes it, is only worth looking at.
func (db *DB) CheckFingerprint(host string, port int, fingerprint string) (Verdict, error) {
	name, err := Name(host, port)
	if err != nil {
		return Verdict{}, err
	}
	if !strings.HasPrefix(fingerprint, "SHA256:") {
		return Verdict{}, errors.New("there is no fingerprint to check")
	}
	all := db.fingerprints()
	return db.judge(host, name, func(i int) bool { return all[i] == fingerprint }), nil
}

// WithFingerprint lists the lines with a key of that fingerprint, whatever their names, and says
// whether such a key is revoked.
func (db *DB) WithFingerprint(fingerprint string) (places []Place, isRevoked bool) {
	for i, sum := range db.fingerprints() {
		switch e := &db.entries[i]; {
		case sum != fingerprint:
		case e.marker == revoked:
			isRevoked = true
		case e.marker == plain:
			places = append(places, e.place())
		}
	}
	return places, isRevoked
}
