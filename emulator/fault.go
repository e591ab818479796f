package emulator

import "time"

// Cut is where a connection breaks.
type Cut string

// The places of a cut.
const (
	// CutRefused breaks before anything of the request was written. Over a real
	// socket the connection was accepted, so a client may see its request
	// written; only [Emulator.RoundTripper] can play this faithfully.
	CutRefused Cut = "refused"
	// CutBefore breaks after the request was read and before the server acts.
	CutBefore Cut = "before"
	// CutAfter breaks after the server acted: the answer is lost.
	CutAfter Cut = "after"
	// CutBody breaks in the middle of the answer's body.
	CutBody Cut = "body"
)

// Fault is what happens to a request. Delays come first, then the cut or the
// scripted answer, then what is done to the body.
type Fault struct {
	// Delay is waited before the server acts, in the client's time;
	// DelayEmulated likewise in the organisation's.
	Delay         time.Duration `yaml:"delay"`
	DelayEmulated time.Duration `yaml:"delay_emulated"`
	// DelayAnswer is waited after the server acted, in the client's time.
	DelayAnswer time.Duration `yaml:"delay_answer"`

	// Status answers without acting. Default 200 with Body or HTML, 429 with
	// RetryAfter, else the real answer's.
	Status int `yaml:"status"`
	// Act makes the server act all the same before it answers so.
	Act bool `yaml:"act"`
	// Code and Message fill the API's error envelope of a scripted answer.
	Code    string `yaml:"code"`
	Message string `yaml:"message"`
	// Headers are added to the answer, scripted or real.
	Headers map[string]string `yaml:"headers"`
	// RetryAfter is that header as it stands, however absurd.
	RetryAfter string `yaml:"retry_after"`
	// Body answers with this text instead of an envelope.
	Body string `yaml:"body"`
	// HTML answers with a page, as a proxy does.
	HTML bool `yaml:"html"`

	// Cut breaks the connection; CutAt is after how many bytes of the body
	// (CutBody only, default 1000).
	Cut   Cut   `yaml:"cut"`
	CutAt int64 `yaml:"cut_at"`
	// ActLate lets the lost POST of a CutBefore start its job so much later.
	ActLate time.Duration `yaml:"act_late"`

	// LengthOff declares a Content-Length that is off by so much.
	LengthOff int64 `yaml:"length_off"`
	// Truncate ends the body after so many bytes as if it were whole.
	Truncate int64 `yaml:"truncate"`
	// Trailing follows the body.
	Trailing string `yaml:"trailing"`
	// Slow sends the body at so many bytes a second of the client's time.
	Slow int `yaml:"slow"`
	// StallAt sends nothing after so many bytes of the body, until the client
	// goes away.
	StallAt int64 `yaml:"stall_at"`
	// GarbleAt makes the byte at that offset of the body one that no UTF-8 has.
	GarbleAt int64 `yaml:"garble_at"`
	// Zip compresses the body though nobody asked for it.
	Zip Zip `yaml:"zip"`
	// Bomb answers with a document of BombSize levels, bytes or members, default
	// 100000.
	Bomb     Bomb  `yaml:"bomb"`
	BombSize int64 `yaml:"bomb_size"`
}
