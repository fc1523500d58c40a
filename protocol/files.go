package protocol

// Files asks for a transfer, in an OPEN of the service "files" (FI1).
type Files struct {
	Mode    string  `json:"mode"`              // FilesPut or FilesGet
	Target  Bytes   `json:"target,omitempty"`  // put: where to
	Sources []Bytes `json:"sources,omitempty"` // get: what
	Folder  bool    `json:"folder,omitempty"`  // put: the target must be a folder
	Make    bool    `json:"make,omitempty"`    // put: and it is made if nothing has its name
	// get: a pattern must mean one thing, because the target is not a folder
	Single   bool `json:"single,omitempty"`
	Recurse  bool `json:"recurse,omitempty"`  // get: folders with what is in them
	Preserve bool `json:"preserve,omitempty"` // put: modes and times
	Resume   bool `json:"resume,omitempty"`   // get: offer first
	Checksum bool `json:"checksum,omitempty"` // put: do not trust size and time
	Sync     bool `json:"sync,omitempty"`     // put: on the disk before it gets its name
	Total    bool `json:"total,omitempty"`    // get: say first how much will come
}

// The values of Files.Mode.
const (
	FilesPut = "put" // the client sends
	FilesGet = "get" // the daemon sends
)

// Check finds what is wrong with a request; the error is a *Violation with CodeBadRequest.
func (f *Files) Check() error {
	switch {
	case f.Mode != FilesPut && f.Mode != FilesGet:
		return Violate(CodeBadRequest, "mode is neither put nor get")
	case f.Mode == FilesGet && len(f.Sources) == 0:
		return Violate(CodeBadRequest, "get names no sources")
	case f.Mode == FilesPut && len(f.Sources) > 0:
		return Violate(CodeBadRequest, "put names sources")
	}
	return nil
}
