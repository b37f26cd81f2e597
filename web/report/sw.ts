/** Keeps the page itself, so that a code never seen before opens without a network. */

interface Waits {
  waitUntil(work: Promise<unknown>): void
}
interface Fetches extends Waits {
  request: Request
  respondWith(answer: Promise<Response>): void
}

const KEPT = 'report-1'
const SHELL = ['/r/', '/r/main.js', '/r/style.css']

addEventListener('install', (event) => {
  ;(event as unknown as Waits).waitUntil(caches.open(KEPT).then((cache) => cache.addAll(SHELL)))
})

addEventListener('activate', (event) => {
  const old = caches
    .keys()
    .then((names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name))))
  ;(event as unknown as Waits).waitUntil(old)
})

addEventListener('fetch', (event) => {
  const asked = event as unknown as Fetches
  const path = new URL(asked.request.url).pathname
  const name = path === '/r' ? '/r/' : path
  if (asked.request.method !== 'GET' || !SHELL.includes(name)) return
  const fresh = caches.open(KEPT).then(async (cache) => {
    const answer = await fetch(asked.request)
    // A gateway's page in place of a script is not kept.
    const page = (answer.headers.get('Content-Type') ?? '').includes('html')
    if (answer.ok && page === (name === '/r/')) await cache.put(name, answer.clone())
    return answer
  })
  // What is kept is shown at once; what is newer is there the next time.
  asked.respondWith(caches.match(name).then((there) => there ?? fresh))
  asked.waitUntil(fresh.catch(() => undefined))
})
