package land

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The columns of the server's CSV, in the order of sheetHeader.
const (
	inUser = iota
	inEmail
	inCRMID
	inRole
	inParentRole
	inTimeframe
	inField
	inWeek
	inStart
	inEnd
	inType
	inValue
	sheetColumns
)

func sheetHeader() [sheetColumns]string {
	return [...]string{
		"User", "Email", "CRM User ID", "Role", "Parent Role", "Timeframe", "Field", "Week",
		"Start Day", "End Day", "Data Type", "Data Value",
	}
}

// sheet reads the server's CSV, one row for each value, into the tables of the
// JSON form.
type sheet struct {
	f    *forecast
	rows *csv.Reader
	// at says where each known column stands, more where any other one does.
	at     [sheetColumns]int
	more   []int
	header []string
	line   int
	before int64 // bytes before the header: a byte order mark

	// The id of each distinct user, period and frame that has come.
	users, periods, frames map[string]string
	types                  map[string]int // vectors by what Data Type says
	window                 *window
}

// readSheet reads the CSV form.
func (f *forecast) readSheet(in *intake) error {
	text := bufio.NewReader(in)
	s := &sheet{
		f: f, rows: csv.NewReader(text), users: map[string]string{}, periods: map[string]string{}, frames: map[string]string{},
		types: map[string]int{}, window: newWindow(f),
	}
	s.rows.ReuseRecord = true
	s.rows.TrimLeadingSpace = true
	if err := s.begin(in, text); err != nil {
		return err
	}
	if err := s.readHeader(in); err != nil {
		return s.cut(in, err)
	}
	for {
		record, err := s.rows.Read()
		if errors.Is(err, io.EOF) {
			f.evidence.openEnd = in.last != '\n'
			return s.window.close()
		}
		if err != nil {
			return s.cut(in, err)
		}
		s.line, _ = s.rows.FieldPos(0)
		if err := s.row(record); err != nil {
			return err
		}
	}
}

// begin looks at the first bytes: markup and JSON are no CSV, and a byte order
// mark is passed over.
func (s *sheet) begin(in *intake, text *bufio.Reader) error {
	head, _ := text.Peek(len(bom)) // the next read says what is wrong
	start := bytes.TrimLeft(in.head, " \t\r\n\ufeff")
	if len(start) > 0 && bytes.IndexByte([]byte("<{["), start[0]) >= 0 {
		return errNoSheet
	}
	if string(head) == bom {
		n, err := text.Discard(len(bom))
		if err != nil {
			return err
		}
		s.before = int64(n)
	}
	in.parsed = s.rows.InputOffset
	return nil
}

const bom = "\ufeff"

var errNoSheet = errors.New("the first line is no header")

// cut tells a row that the end of the input broke from one that is wrong.
func (s *sheet) cut(in *intake, err error) error {
	var syntax *csv.ParseError
	broken := errors.As(err, &syntax) || isRefusal(err) && in.last != '\n'
	if broken && in.ended && len(in.rest) == 0 && s.before+s.rows.InputOffset() == in.given {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readHeader finds the columns. Blanks after commas belong to values unless the
// header has them too.
func (s *sheet) readHeader(in *intake) error {
	record, err := s.rows.Read()
	if err != nil {
		return err
	}
	line, _, _ := bytes.Cut(in.head, []byte("\n"))
	s.rows.TrimLeadingSpace = bytes.Contains(line, []byte(", "))
	for i := range s.at {
		s.at[i] = -1
	}
	for i, name := range record {
		name = strings.TrimSpace(strings.Clone(name))
		s.header = append(s.header, name)
		if err := s.place(i, name); err != nil {
			return err
		}
	}
	for i, name := range sheetHeader() {
		if s.at[i] < 0 {
			return refuse(CheckShape, "no column %s among the %d of the first line", name, len(s.header))
		}
	}
	return nil
}

func (s *sheet) place(i int, name string) error {
	if len(s.header) > maxTopLevel {
		return refuse(CheckShape, "more than %d columns", maxTopLevel)
	}
	if earlier := slices.Index(s.header[:i], name); earlier >= 0 {
		return refuse(CheckShape, "columns %d and %d of the first line have one name", earlier+1, i+1)
	}
	for known, wanted := range sheetHeader() {
		if strings.EqualFold(name, wanted) {
			s.at[known] = i
			return nil
		}
	}
	s.more = append(s.more, i)
	return nil
}

// row takes one value.
func (s *sheet) row(record []string) error {
	get := func(column int) string { return record[s.at[column]] }
	for _, field := range record {
		if !utf8.ValidString(field) {
			return refuse(CheckDocument, "line %d is no UTF-8", s.line)
		}
	}
	var c cell
	var err error
	if c.user, err = s.user(get); err != nil {
		return err
	}
	if c.period, err = s.period(get(inTimeframe)); err != nil {
		return err
	}
	if c.field, err = s.field(get(inField)); err != nil {
		return err
	}
	if c.frame, err = s.frame(get, c.period); err != nil {
		return err
	}
	e, err := s.window.entry(c)
	if err != nil {
		return err
	}
	if err := s.value(e, get(inType), get(inValue)); err != nil {
		return err
	}
	for _, i := range s.strays(c) {
		if err := s.keepMore(e, s.header[i], record[i], get(inType)); err != nil {
			return err
		}
	}
	return nil
}

// strays are the columns of a row that no table takes: unknown ones, and those
// of a user or week that is not there.
func (s *sheet) strays(c cell) []int {
	strays := s.more
	if c.user == "" {
		strays = append(slices.Clip(strays), s.at[inRole], s.at[inParentRole])
	}
	if c.frame == "" {
		strays = append(slices.Clip(strays), s.at[inWeek], s.at[inEnd])
	}
	return strays
}

// user gives the id of a row's user, made of what the file shows: the CRM user
// id, else the e-mail, else the name, with role and parent role, because one
// person may hold several. A row that shows none of the three has no user.
func (s *sheet) user(get func(int) string) (string, error) {
	who := []string{get(inUser), get(inEmail), get(inCRMID), get(inRole), get(inParentRole)}
	all := strings.Join(who, "\x00")
	if id, known := s.users[all]; known {
		return id, nil
	}
	id := ""
	for _, which := range []int{2, 1, 0} {
		if who[which] != "" {
			sum := sha256.Sum256([]byte(strings.Join([]string{[]string{"name", "email", "crm"}[which], who[which], who[3], who[4]}, "\x00")))
			id = "csv-" + hex.EncodeToString(sum[:8])
			break
		}
	}
	if id == "" {
		return "", nil
	}
	s.users[all] = id
	return id, s.look("users", map[string]string{
		"user_id": id, "name": who[0], "email": who[1], "crm_id": who[2], "hierarchy_name": who[3], "parent_hierarchy_name": who[4],
	}, "")
}

// look adds a row to a lookup table. Empty text is null: the file cannot tell
// them apart.
func (s *sheet) look(array string, values map[string]string, extra string) error {
	d := s.f.readers[array]
	d.batch.addRow()
	for i, c := range layout(d.table) {
		if text := values[c.Name]; text != "" {
			takeSheetText(&d.batch.cols[i], text)
		}
	}
	if extra != "" {
		d.batch.cols[d.rest].setText([]byte(extra))
	}
	return s.f.bound(d.batch)
}

// takeSheetText puts text into the last row of a column of a lookup table.
func takeSheetText(v *vector, text string) {
	if v.kind == Integer {
		takeNumber(v, []byte(text))
		return
	}
	takeText(v, []byte(text))
}

func (s *sheet) field(name string) (string, error) {
	d := s.f.readers["fields"]
	if name == "" || d.batch.cols[0].texts.find([]byte(name)) != 0 {
		return name, nil
	}
	return name, s.look("fields", map[string]string{"field_id": name, "name": name}, "")
}

func (s *sheet) period(label string) (string, error) {
	if id, known := s.periods[label]; known {
		return id, nil
	}
	id, year := quarterOf(label)
	if label != "" && id == "" {
		return "", refuse(CheckPeriod, "line %d: no quarter can be read in the timeframe", s.line)
	}
	if id == "" {
		return "", nil
	}
	s.periods[strings.Clone(label)] = id
	return id, s.look("timePeriods", map[string]string{"time_period_id": id, "label": label, "year": year}, "")
}

// frame gives the id of a row's week in the form of the JSON: "TF:2024-03-01".
func (s *sheet) frame(get func(int) string, period string) (string, error) {
	start, end, week := get(inStart), get(inEnd), get(inWeek)
	all := strings.Join([]string{start, end, week, period}, "\x00")
	if id, known := s.frames[all]; known {
		return id, nil
	}
	id := ""
	if start != "" {
		day, ok := parseDate([]byte(start))
		if !ok {
			return "", refuse(CheckIDs, "line %d: the start day is no day", s.line)
		}
		id = "TF:" + time.Unix(day*(msPerDay/1000), 0).UTC().Format(time.DateOnly)
	}
	if id == "" {
		return "", nil
	}
	s.frames[all] = id
	extra, err := frameExtra(week, end)
	if err != nil {
		return "", err
	}
	return id, s.look("timeFrames", map[string]string{"time_frame_id": id, "start_date": start, "end_date": end}, extra)
}

// frameExtra keeps what no column takes: the week's number, and an end day that
// is no day.
func frameExtra(week, end string) (string, error) {
	var extra []byte
	var err error
	if week != "" {
		if extra, err = keepText(extra, "Week", week); err != nil {
			return "", err
		}
	}
	if _, ok := parseDate([]byte(end)); !ok && end != "" {
		if extra, err = keepText(extra, "End Day", end); err != nil {
			return "", err
		}
	}
	if len(extra) == 0 {
		return "", nil
	}
	return string(extra) + "}", nil
}
