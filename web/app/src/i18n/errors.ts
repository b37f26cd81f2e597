import { Failure } from '../api/failure'
import type { Key } from './index'
import { useLanguage } from './index'

const BY_CODE: Partial<Record<string, Key>> = {
  away: 'error.away',
  wrong_credentials: 'error.wrong_credentials',
}

const BY_STATUS: Partial<Record<number, Key>> = {
  401: 'error.401',
  403: 'error.403',
  404: 'error.404',
  409: 'error.409',
  422: 'error.422',
  429: 'error.429',
  502: 'error.away',
  503: 'error.503',
  504: 'error.away',
}

/** The phrase for an error that carries no text of its own. */
export function errorKey(error: unknown): Key {
  if (!(error instanceof Failure)) return 'error.unknown'
  return BY_CODE[error.code] ?? BY_STATUS[error.status] ?? 'error.500'
}

/** Turns any error into a sentence in the reader's language; the server's own words come first. */
export function useErrorText(): (error: unknown) => string {
  const { t, say } = useLanguage()
  return (error) => (error instanceof Failure && error.text ? say(error.text) : t(errorKey(error)))
}
