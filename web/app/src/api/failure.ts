import type { ErrorBody, Text } from './types'

/** An answer that was not a success, with what a person should read about it. */
export class Failure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly text: Text | null,
    readonly requestId: string | null,
    readonly retryAfter: number | null = null,
  ) {
    super(`${status} ${code}`)
    this.name = 'Failure'
  }

  /** The server did not answer at all, or something in front of it answered for it. */
  get away(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 504
  }
}

function isText(value: unknown): value is Text {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Text).zh === 'string' &&
    typeof (value as Text).en === 'string'
  )
}

/** Reads the one error shape of the API; an unexpected body keeps its status alone. */
export function failureFrom(status: number, body: unknown, retryAfter: string | null): Failure {
  const error =
    typeof body === 'object' && body !== null ? (body as { error?: Partial<ErrorBody> }).error : null
  const seconds = retryAfter !== null && /^[0-9]+$/.test(retryAfter) ? Number(retryAfter) : null
  return new Failure(
    status,
    typeof error?.code === 'string' ? error.code : `http_${status}`,
    isText(error?.message) ? error.message : null,
    typeof error?.request_id === 'string' ? error.request_id : null,
    seconds,
  )
}
