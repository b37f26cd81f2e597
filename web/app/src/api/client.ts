import createClient from 'openapi-fetch'
import { Failure, failureFrom } from './failure'
import type { paths } from './schema'
import { away } from './away'

let csrfToken = ''
let onSignedOut: () => void = () => undefined

/** Keeps the token of the session; every unsafe request carries it. */
export function setCsrfToken(token: string): void {
  csrfToken = token
}

/** What to do when the server says that nobody is signed in any more. */
export function whenSignedOut(action: () => void): void {
  onSignedOut = action
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

async function send(request: Request): Promise<Response> {
  if (!SAFE.has(request.method)) request.headers.set('X-CSRF-Token', csrfToken)
  let response: Response
  try {
    response = await fetch(request)
  } catch (cause) {
    if (request.signal.aborted) throw cause
    away.lost()
    throw new Failure(0, 'away', null, null)
  }
  if (response.status === 502 || response.status === 504) away.lost()
  else away.back()
  return response
}

const client = createClient<paths>({ fetch: send, credentials: 'same-origin' })

type Answer<T> = { data?: T; error?: unknown; response: Response }

/** The body of a success, or a `Failure` thrown. */
export async function answer<T>(sent: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await sent
  if (response.ok) return data as NonNullable<T>
  const failure = failureFrom(response.status, error, response.headers.get('Retry-After'))
  if (failure.status === 401 && failure.code !== 'wrong_credentials') onSignedOut()
  throw failure
}

export const api = client
