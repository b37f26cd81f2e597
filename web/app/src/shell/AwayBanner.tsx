import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import { away } from '../api/away'
import { useLanguage } from '../i18n'
import './AwayBanner.css'

const EVERY = 3_000

/** Says that the server cannot be reached, asks it again and again, and reloads when it answers. */
export function AwayBanner() {
  const { t } = useLanguage()
  const queries = useQueryClient()
  const gone = useSyncExternalStore(away.subscribe, away.current)
  useEffect(() => {
    if (!gone) return
    const ask = async (): Promise<void> => {
      try {
        if (!(await fetch('/api/health', { cache: 'no-store' })).ok) return
        away.back()
        await queries.invalidateQueries()
      } catch {
        // Still away; the timer asks again.
      }
    }
    const timer = setInterval(() => void ask(), EVERY)
    return () => clearInterval(timer)
  }, [gone, queries])
  if (!gone) return null
  return (
    <div className="away" role="alert">
      <span className="away__dot" aria-hidden="true" />
      {t('away.text')}
    </div>
  )
}
