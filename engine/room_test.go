package engine_test

import "context"

// undisturbed reports whether all that happens on a server is weir's own doing
// and shows at once: then no POST may go beyond the slots or into the reserve,
// whichever account of the organisation sends it.
func (w *world) undisturbed(server int) bool {
	c := w.scene.servers[server]
	if len(c.Scenario.Foreign)+len(c.Scenario.Limits) > 0 || c.LimitsForbidden != 0 {
		return false
	}
	for _, r := range c.Scenario.Rules {
		if r.Fault.ActLate > 0 || r.Fault.Code == "export_monthly_quota_reached" {
			return false
		}
	}
	return true
}

// mates are the accounts on the server of one.
func (w *world) mates(account string) []string {
	var all []string
	for _, name := range w.scene.names {
		if w.scene.accounts[name].server == w.scene.accounts[account].server {
			all = append(all, name)
		}
	}
	return all
}

// alike are the accounts whose keys are of one user: they list the same jobs.
func (w *world) alike(account string) []string {
	var all []string
	for _, name := range w.mates(account) {
		if w.scene.accounts[name].user == w.scene.accounts[account].user {
			all = append(all, name)
		}
	}
	return all
}

// checkRoom compares a POST with what the server itself counts, over all
// accounts of the organisation, once they know that they are one.
func (a *auditor) checkRoom(p *proc, k *record) {
	server := a.w.scene.accounts[p.account].server
	if k.lease != a.latest[p.account] || p.frozeSince(k.acquired) || !a.w.undisturbed(server) {
		return
	}
	org, err := a.w.store.Organisation(context.Background(), p.account)
	if err != nil || !org.Budget.Known() || len(a.w.mates(p.account)) > 1 && !org.Shared {
		return
	}
	c, has := a.w.scene.servers[server], a.w.servers[server].Counters()
	if has.InFlight >= c.Slots {
		a.fault("%s sent a POST with %d of %d slots taken on the server", p.owner, has.InFlight, c.Slots)
	}
	if keep := a.w.scene.policy.KeepQuota; has.QuotaUsed >= c.Quota-keep {
		a.fault("%s sent a POST with %d of a quota of %d used and %d kept", p.owner, has.QuotaUsed, c.Quota, keep)
	}
}
