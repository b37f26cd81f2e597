import { Navigate, Outlet, useLocation } from 'react-router'
import { useListening } from '../api/useLive'
import { useSessionState } from '../api/session'
import { FailureNote } from '../parts/FailureNote'
import { FirstPasswordPage } from '../login/FirstPasswordPage'

function Inside() {
  useListening()
  return <Outlet />
}

/** Lets nobody in without a session; afterwards the reader lands where they wanted to go. */
export function SignedIn() {
  const { session, loading, failed } = useSessionState()
  const { pathname, search } = useLocation()
  if (loading) return null
  if (session === null && failed !== null) return <FailureNote error={failed} />
  if (session === null) {
    const next = pathname === '/' ? '' : `?next=${encodeURIComponent(pathname + search)}`
    return <Navigate to={`/login${next}`} replace />
  }
  if (session.must_change_password) return <FirstPasswordPage />
  return <Inside />
}
