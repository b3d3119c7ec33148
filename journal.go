package pare

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"strings"

	"pare/compress"
	"pare/onnx"
)

// RemoveJournal deletes what Compress kept in a folder, and the folder unless it holds
// other things.
func RemoveJournal(dir string) error { return compress.RemoveJournal(dir) }

// JournalParts is the number of results that interrupted runs left in a folder.
func JournalParts(dir string) int { return compress.JournalParts(dir) }

// hash is that of the model as it would be written.
func (m *Model) hash() (string, error) {
	h := sha256.New()
	err := onnx.Encode(h, m.ir)
	return hex.EncodeToString(h.Sum(nil)), err
}

// journalVersion tells apart programs that may compute different results.
func journalVersion() string {
	info, _ := debug.ReadBuildInfo()
	parts := []string{Version}
	if info != nil {
		for _, s := range info.Settings {
			if strings.HasPrefix(s.Key, "vcs.") || s.Key == "-tags" {
				parts = append(parts, s.Key+"="+s.Value)
			}
		}
	}
	return strings.Join(parts, " ")
}

// activity names what a run is at: the step, which of how many, and the part of it.
func activity(p compress.Progress) string {
	name := p.Step
	if p.Steps > 1 {
		name = fmt.Sprintf("%d/%d %s", p.Index+1, p.Steps, name)
	}
	if p.What != "" {
		name += ": " + p.What
	}
	return name
}
