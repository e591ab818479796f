package pace

import (
	"fmt"
	"time"
)

// ClosedError says that a request was not started because its wait would be
// longer than its context allows. Nothing was sent.
type ClosedError struct {
	// Until is when the request could start as things stand. Should another
	// request's answer change the gate, that may become earlier or later.
	Until time.Time
	// Reason is what holds it.
	Reason Reason
}

// Error says until when and why.
func (e *ClosedError) Error() string {
	return fmt.Sprintf("wait at gate: not before %s: %s", e.Until.UTC().Format(time.RFC3339), e.Reason.Describe())
}
