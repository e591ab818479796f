package plan

import (
	"math"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

// The numbers of the duration model (rules §6).
const (
	priorMedian  = 10 * time.Second // the provider's own examples ran 5 and 6 s
	populace     = 0.75             // how far keys differ, as a log standard deviation,
	populaceRuns = 3.0              // with the weight of so many runs
	spreadGuess  = 0.35             // what one key's spread is taken for at first,
	spreadWeight = 5.0              // with the weight of so many runs
	leastSpread  = 0.1
	oddShare     = 0.05 // the part of jobs that behave unlike all others,
	oddSpread    = 1.5  // with this log standard deviation
	keyWeight    = 0.5  // runs after which a key's own mean outweighs the rest
	tabWeight    = 1.0  // the same for the runs of one tab
	driftRuns    = 3    // this many in a row outside
	driftSpreads = 2.0  // so many spreads: the past is forgotten
)

// HistoryKey names the requests whose jobs are expected to run alike: the same
// tab and period. A key without runs of its own is expected to run as its tab,
// and a tab without runs as everything else.
func HistoryKey(r weir.Request) string { return TabKey(r) + "/" + string(r.Period) }

// TabKey names the requests that share a forecast tab, or a kind without tabs.
func TabKey(r weir.Request) string { return string(r.Kind) + "/" + r.ForecastID }

func tabOf(key string) string { return key[:max(0, strings.LastIndexByte(key, '/'))] }

// Duration is what is expected of a job's run: log-normal with Mu the mean of
// the logarithm of its seconds and S its standard deviation.
type Duration struct {
	Mu, S float64
}

// Median is the duration that half of the runs stay under.
func (x Duration) Median() time.Duration {
	return time.Duration(math.Exp(x.Mu) * float64(time.Second))
}

// Survival is the probability that a job still runs at this age: a mixture that
// allows one job in twenty to behave unlike the others.
func (x Duration) Survival(age time.Duration) float64 {
	if age <= 50*time.Millisecond {
		return 1
	}
	z := x.Mu - math.Log(age.Seconds())
	return (1-oddShare)*normal(z/x.S) + oddShare*normal(z/oddSpread)
}

func normal(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// Forecast learns what to expect of a key's next job from the history of all
// keys. Three runs in a row far outside what was expected forget the past.
func Forecast(history map[string][]time.Duration, key string) Duration {
	return Learn(history).Of(key)
}

// Durations is what the runs of the past teach about the next one. The zero
// value has learned nothing. It is never changed after [Learn].
type Durations struct {
	all  mean
	away float64 // Σ squared distance from the mean of all
	tabs map[string]mean
	keys map[string]Duration
}

type mean struct{ sum, n float64 }

func (m mean) add(x float64) mean { return mean{m.sum + x, m.n + 1} }

// towards is the mean drawn to a prior that weighs as much as so many runs.
func (m mean) towards(prior, weight float64) float64 {
	return (m.sum + weight*prior) / (m.n + weight)
}

// Learn reads a history by [HistoryKey], oldest run first. Runs that did not
// take any time teach nothing.
func Learn(history map[string][]time.Duration) *Durations {
	l := &Durations{tabs: map[string]mean{}, keys: make(map[string]Duration, len(history))}
	logs := make(map[string][]float64, len(history))
	for _, key := range sortedKeys(history) { // in order: sums of floats depend on it
		for _, run := range history[key] {
			if run > 0 {
				x := math.Log(run.Seconds())
				logs[key] = append(logs[key], x)
				l.all = l.all.add(x)
				l.tabs[tabOf(key)] = l.tabs[tabOf(key)].add(x)
			}
		}
	}
	middle := l.middle()
	for _, key := range sortedKeys(logs) {
		m := model{mu: l.ofTab(tabOf(key)).Mu}
		prior := m.mu
		for _, x := range logs[key] {
			l.away += (x - middle) * (x - middle)
			m.learn(x, prior)
		}
		l.keys[key] = Duration{Mu: m.mu, S: m.spread()}
	}
	return l
}

// Of is what is expected of a key's next run.
func (l *Durations) Of(key string) Duration {
	if known, ok := l.keys[key]; ok {
		return known
	}
	return l.ofTab(tabOf(key))
}

func (l *Durations) ofTab(tab string) Duration {
	mu := l.tabs[tab].towards(l.middle(), tabWeight)
	return Duration{Mu: mu, S: l.populace()}
}

func (l *Durations) middle() float64 { return l.all.towards(math.Log(priorMedian.Seconds()), 1) }

// typical is the mean duration of whatever may be asked, in seconds: that of a
// log-normal, which is above its median.
func (l *Durations) typical() float64 {
	spread := l.populace()
	return math.Exp(l.middle() + spread*spread/2)
}

// populace is the spread of a key that never ran: 1.3 with no history at all.
func (l *Durations) populace() float64 {
	variance := (populaceRuns*populace*populace + l.away) / (populaceRuns + l.all.n)
	return max(leastSpread, math.Sqrt(variance*(1+1/(l.all.n+keyWeight))))
}

// model is the running estimate of one key.
type model struct {
	mu, sum, squares, n float64
	outside             int
}

func (m *model) learn(x, prior float64) {
	miss := x - m.mu
	if m.n > 0 && math.Abs(miss) > driftSpreads*m.spread() {
		m.outside++
	} else {
		m.outside = 0
	}
	if m.outside >= driftRuns {
		*m = model{mu: prior}
		miss = x - m.mu
	}
	m.n++
	m.sum += x
	m.squares += miss * miss
	w := m.n / (m.n + keyWeight)
	m.mu = w*m.sum/m.n + (1-w)*prior
}

func (m *model) spread() float64 {
	variance := (spreadWeight*spreadGuess*spreadGuess + m.squares) / (spreadWeight + m.n)
	return max(leastSpread, math.Sqrt(variance*(1+1/(m.n+keyWeight))))
}
