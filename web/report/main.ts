/** The worker's page: scan, finish, confirm. */

import { type Job, Refusal, ask, device, newId } from './api'
import { el } from './dom'
import { recall, remember } from './memo'
import { flush, keep, undo, undoLeft } from './queue'
import { type Kept, all, drop, unsafe } from './store'
import { choose, chosen, say } from './words'

interface Person {
  no: string
  name: string
}

interface Draft {
  id: string
  events: string
  values: Record<string, string>
  machine: string
  open: boolean
}

const KINDS = [
  ['good', 'good'],
  ['scrap_work', 'scrapWork'],
  ['scrap_material', 'scrapMaterial'],
  ['rework', 'rework'],
] as const

const page = document.getElementById('page')!

let token = ''
let job: Job | null = null
let known = false // the server told it; else it was read from the code
let problem = ''
let person: Person | null = read('person')
let asking: { no: string; unknown: boolean } | null = null
let draft: Draft | null = null
let busy = false
let last: string | null = null // the report whose outcome is shown
let reports: Kept[] = []

function read<T>(name: string): T | null {
  try {
    return JSON.parse(recall(name) ?? 'null') as T | null
  } catch {
    return null
  }
}

/** The code's own words of the job: enough to report without a network. */
function fromCode(): void {
  const [code, ...rest] = location.hash.slice(1).split('&')
  const said = new URLSearchParams(rest.join('&'))
  token = code ?? ''
  known = false
  problem = ''
  draft = last = asking = null
  job = token
    ? {
        work_order_no: said.get('o') ?? '',
        item_name: null,
        drawing_no: null,
        unit: '',
        seq: Number(said.get('s') ?? 0),
        name: said.get('n') ?? '',
        qty_plan: said.get('q') ?? '0',
        qty_good: '0',
        closed: null,
        machines: [],
      }
    : null
}

async function load(): Promise<void> {
  if (!token) return
  const asked = token
  try {
    const found = await ask<Job>('/open', { token, device: device() })
    if (asked !== token) return
    job = found
    known = true
    problem = ''
  } catch (error) {
    if (asked !== token || !(error instanceof Refusal) || error.kind !== 'no') return showUnlessTyping()
    job = null
    problem = error.message || say('failed')
  }
  showUnlessTyping()
}

function number(text: string): number {
  const value = Number(text)
  return Number.isFinite(value) ? value : 0
}

function plain(value: number): string {
  return String(Math.round(value * 10_000) / 10_000)
}

function rest(): number {
  return job ? Math.max(0, number(job.qty_plan) - number(job.qty_good)) : 0
}

async function refresh(): Promise<void> {
  reports = await all()
  showUnlessTyping()
}

function begin(): void {
  draft = {
    id: newId(),
    events: 'finish',
    values: { good: plain(rest()) },
    machine: recall('machine') ?? '',
    open: false,
  }
  show()
}

async function confirm(kind: 'start' | 'finish'): Promise<void> {
  // A second tap finds the report on its way.
  if (!job || !person || busy || (kind === 'finish' && !draft)) return
  const at = new Date().toISOString()
  const made: Draft = draft ?? { id: newId(), events: kind, values: {}, machine: '', open: false }
  const quantities = KINDS.filter(([code]) => number(made.values[code] ?? '') > 0).map(([code]) => ({
    id: newId(),
    kind: code,
    qty: plain(number(made.values[code]!)),
    at,
  }))
  if (kind === 'finish' && !quantities.length) {
    problem = say('noQty')
    return show()
  }
  busy = true
  draft = null
  problem = ''
  last = made.id
  const qty = quantities.find((q) => q.kind === 'good')?.qty
  const machine = job.machines.find((m) => m.id === made.machine)?.id ?? null
  if (machine) remember('machine', machine)
  await keep({
    id: made.id,
    made: Date.now(),
    label: `${job.work_order_no} ${job.seq} ${job.name}${kind === 'start' ? ` · ${say('start')}` : qty ? ` · ${qty}` : ''}`,
    token,
    state: 'waiting',
    body: {
      report_id: made.id,
      employee_no: person.no,
      machine_id: machine,
      events: [{ id: newId(), kind, at }],
      quantities,
    },
  })
  await refresh()
  busy = false
  await flush(() => void refresh())
  await load()
}

async function takeBack(one: Kept): Promise<void> {
  problem = ''
  await undo(one.id)
  await refresh()
  await flush(() => void refresh())
  await load()
}

async function name(no: string, anyway: boolean): Promise<void> {
  const asked = no.trim()
  if (!asked) return
  let found: string | null = null
  if (!anyway) {
    try {
      found = (await ask<{ name: string | null }>('/person', { token, device: device(), employee_no: asked })).name
      if (found === null) {
        asking = { no: asked, unknown: true }
        return show()
      }
    } catch {
      // Without a network the number is taken as it is; the server looks at it later.
    }
  }
  person = { no: asked, name: found ?? asked }
  remember('person', JSON.stringify(person))
  asking = null
  show()
}

/** What arrives by itself must not take away what somebody is just typing. */
function showUnlessTyping(): void {
  if (!draft && document.activeElement?.tagName !== 'INPUT') show()
}

function show(): void {
  document.documentElement.lang = chosen() === 'zh' ? 'zh-CN' : 'en'
  document.title = say('title')
  const focused = document.activeElement?.id
  page.textContent = ''
  page.append(...view().filter((part) => part !== null))
  if (focused) document.getElementById(focused)?.focus()
}

function view(): (Node | null)[] {
  const parts: (Node | null)[] = [head()]
  if (!navigator.onLine) parts.push(el('p', { class: 'card note', role: 'status' }, say('offline')))
  if (unsafe()) parts.push(el('p', { class: 'card note wrong', role: 'alert' }, say('unsafe')))
  if (problem) parts.push(el('p', { class: 'card note wrong', role: 'alert' }, problem))
  const shown = reports.find((one) => one.id === last)
  if (!token) parts.push(el('h1', {}, say('scan')), el('p', { class: 'soft' }, say('scanMore')))
  else if (!job) {
    if (!problem) parts.push(el('p', { role: 'status' }, say('loading')))
    if (shown) parts.push(outcome(shown))
  } else {
    parts.push(jobCard(job))
    if (job.closed)
      parts.push(
        el('p', { class: 'card note', role: 'alert' }, say(job.closed === 'order_engineering' ? 'engineering' : 'closed')),
        shown ? outcome(shown) : null,
      )
    else if (!person || asking) parts.push(askPerson())
    else if (draft) parts.push(...quantities(draft))
    else if (shown) parts.push(outcome(shown))
    else parts.push(...actions(person))
  }
  parts.push(list(), window.isSecureContext ? null : el('p', { class: 'soft' }, say('insecure')))
  return parts
}

function head(): Node {
  const other = chosen() === 'zh' ? 'en' : 'zh'
  const toggle = () => {
    choose(other)
    show()
  }
  const label = other === 'en' ? 'English' : '中文'
  return el('header', {}, el('span', {}, `榫 ${say('title')}`), el('button', { class: 'plain', type: 'button', click: toggle }, label))
}

function jobCard(shown: Job): Node {
  const figure = (label: string, value: string) => el('span', {}, el('span', { class: 'soft' }, label), el('b', {}, value))
  return el(
    'section',
    { class: 'card' },
    el('h1', {}, shown.name || `${shown.seq}`),
    el('p', {}, [shown.work_order_no, shown.seq].filter(Boolean).join(' · ')),
    shown.item_name ? el('p', { class: 'soft' }, [shown.item_name, shown.drawing_no].filter(Boolean).join(' · ')) : null,
    el(
      'div',
      { class: 'figures' },
      figure(say('plan'), plain(number(shown.qty_plan))),
      known ? figure(say('reported'), plain(number(shown.qty_good))) : null,
      known ? figure(say('rest'), plain(rest())) : null,
    ),
    known ? null : el('p', { class: 'soft' }, say('unknownJob')),
  )
}

function askPerson(): Node {
  const input = el('input', {
    id: 'who',
    value: asking?.no ?? person?.no ?? '',
    autocomplete: 'off',
    autocapitalize: 'characters',
    maxlength: '40',
  }) as HTMLInputElement
  const submit = (event: Event) => {
    event.preventDefault()
    void name(input.value, Boolean(asking?.unknown && input.value.trim() === asking.no))
  }
  return el(
    'form',
    { class: 'card', submit },
    el('label', { for: 'who' }, say('whoAsk')),
    input,
    asking?.unknown ? el('p', { role: 'alert' }, say('nobody')) : null,
    el('p', {}, el('button', { class: 'main', type: 'submit' }, say(asking?.unknown ? 'carryOn' : 'save'))),
  )
}

function actions(who: Person): Node[] {
  const change = () => {
    asking = { no: '', unknown: false }
    show()
  }
  return [
    el('button', { class: 'main', id: 'finish', type: 'button', click: begin }, say('finish')),
    el('button', { id: 'start', type: 'button', click: () => void confirm('start') }, say('start')),
    el(
      'p',
      { class: 'row' },
      el('span', {}, `${say('who')} ${who.no === who.name ? who.no : `${who.no} ${who.name}`}`),
      el('button', { class: 'plain', type: 'button', click: change }, say('change')),
    ),
  ]
}

function quantities(made: Draft): Node[] {
  const row = (code: string, label: string) => {
    const id = `qty-${code}`
    const input = el('input', {
      id,
      inputmode: 'decimal',
      autocomplete: 'off',
      maxlength: '14',
      value: made.values[code] ?? '0',
      input: (event) => (made.values[code] = (event.target as HTMLInputElement).value.replace(',', '.')),
      focus: (event) => (event.target as HTMLInputElement).select(),
    }) as HTMLInputElement
    const step = (by: number) => () => {
      input.value = made.values[code] = plain(Math.max(0, number(input.value) + by))
    }
    const button = (by: number, sign: string, word: 'less' | 'plus') =>
      el('button', { type: 'button', 'aria-label': `${label} ${say(word)}`, click: step(by) }, sign)
    return [el('label', { for: id }, label), el('div', { class: 'qty' }, button(-1, '−', 'less'), input, button(1, '+', 'plus'))]
  }
  const more = () => {
    made.open = true
    show()
  }
  const submit = (event: Event) => {
    event.preventDefault()
    void confirm('finish')
  }
  const shown = made.open ? KINDS : KINDS.slice(0, 1)
  return [
    el(
      'form',
      { class: 'card', submit },
      ...shown.flatMap(([code, label]) => row(code, say(label))),
      made.open ? machines(made) : el('button', { class: 'plain', type: 'button', click: more }, say('more')),
      number(made.values.good ?? '') > rest() && known
        ? el('p', { class: 'soft', role: 'status' }, say('over', { rest: plain(rest()) }))
        : null,
      el('p', {}, el('button', { class: 'main', id: 'confirm', type: 'submit' }, say('confirm'))),
      el('button', { class: 'plain', type: 'button', click: () => ((draft = null), (problem = ''), show()) }, say('back')),
    ),
  ]
}

function machines(made: Draft): Node {
  const choice = el(
    'select',
    { id: 'machine', change: (event) => (made.machine = (event.target as HTMLSelectElement).value) },
    el('option', { value: '' }, say('anyMachine')),
    ...(job?.machines ?? []).map((m) =>
      el('option', { value: m.id, selected: m.id === made.machine }, m.name.includes(m.code) ? m.name : `${m.code} ${m.name}`),
    ),
  )
  return el('div', {}, el('label', { for: 'machine' }, say('machine')), choice)
}

function outcome(one: Kept): Node {
  const word = { waiting: 'kept', recorded: 'sent', review: 'review', undone: 'undone', rejected: 'refused', refused: 'refused' } as const
  const minutes = Math.ceil(undoLeft(one) / 60_000)
  const may = !one.undo && (one.state === 'waiting' || ((one.state === 'recorded' || one.state === 'review') && minutes > 0))
  const held = one.state === 'waiting' && unsafe() ? 'notKept' : word[one.state]
  const shown = one.undo ? (one.state === 'waiting' ? 'undone' : 'undoing') : held
  const again = () => {
    last = null
    show()
  }
  return el(
    'section',
    { class: `card ${one.state === 'refused' ? 'note wrong' : shown === 'notKept' ? 'note' : 'done'}`, role: 'status' },
    el('b', {}, say(shown)),
    el('p', {}, one.label),
    one.message ? el('p', {}, one.message) : null,
    may && one.state !== 'waiting' ? el('p', { class: 'soft' }, say('undoFor', { minutes })) : null,
    el(
      'p',
      { class: 'row' },
      may ? el('button', { id: 'undo', type: 'button', click: () => void takeBack(one) }, say('undo')) : null,
      job && !job.closed ? el('button', { id: 'again', type: 'button', click: again }, say('again')) : null,
    ),
  )
}

function list(): Node | null {
  const due = reports.filter((one) => one.state === 'waiting' && !one.undo)
  const waiting = due.filter((one) => one.id !== last)
  const refused = reports.filter((one) => one.state === 'refused' && one.id !== last)
  if (!waiting.length && !refused.length) return null
  const gone = (one: Kept) => () => void drop(one.id).then(refresh)
  const count = due.length
  return el(
    'section',
    { class: 'card', id: 'waiting' },
    count ? el('h2', {}, say('waiting', { count })) : null,
    el(
      'ul',
      {},
      ...waiting.slice(0, 50).map((one) => el('li', {}, one.tries ? `${one.label}: ${say('trouble')}` : one.label)),
      ...refused.map((one) =>
        el(
          'li',
          {},
          el('span', {}, `${one.label}: ${say('refused')}. ${one.message ?? ''}`),
          el('button', { type: 'button', click: gone(one) }, say('drop')),
        ),
      ),
    ),
  )
}

function wake(): void {
  void flush(() => void refresh())
  if (!draft) void load()
}

addEventListener('hashchange', () => {
  fromCode()
  show()
  wake()
})
for (const event of ['online', 'offline']) addEventListener(event, () => (showUnlessTyping(), wake()))
// What another tab has done, and what leaving would lose.
addEventListener('storage', (event) => event.key === 'queue' && void refresh())
addEventListener('beforeunload', (event) => unsafe() && event.preventDefault())
document.addEventListener('visibilitychange', () => document.hidden || wake())
setInterval(() => last && show(), 30_000)
if ('serviceWorker' in navigator) void navigator.serviceWorker.register('/r/sw.js').catch(() => undefined)
fromCode()
show()
void refresh().then(wake)
