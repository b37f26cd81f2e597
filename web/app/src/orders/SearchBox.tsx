import { useEffect, useRef, useState } from 'react'
import { useLanguage } from '../i18n'
import { useKeys } from '../shell/useKeys'
import { recentSearches } from './recent'
import './SearchBox.css'

const PAUSE = 220
const LONGEST = 100

type Props = { query: string; onSearch: (query: string) => void }

/** The one search box: "/" comes here, the arrows walk through what it found. */
export function SearchBox({ query, onSearch }: Props) {
  const { t } = useLanguage()
  const [text, setText] = useState(query)
  const input = useRef<HTMLInputElement>(null)
  const sent = useRef(query)
  useKeys({ '/': () => input.current?.select() })
  useEffect(() => {
    // The address changed by itself (back, a link), not by typing here.
    if (query !== sent.current) setText(query)
    sent.current = query
  }, [query])
  useEffect(() => {
    const wanted = text.trim()
    if (wanted === sent.current) return
    const timer = setTimeout(() => {
      sent.current = wanted
      onSearch(wanted)
    }, PAUSE)
    return () => clearTimeout(timer)
  }, [text, onSearch])
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const links = document.querySelectorAll<HTMLElement>('[data-row]')
    if (event.key === 'ArrowDown') {
      event.preventDefault()
      links[0]?.focus()
    } else if (event.key === 'Enter' && text.trim() === query.trim() && text.trim()) {
      links[0]?.click()
    } else if (event.key === 'Escape') {
      setText('')
    }
  }
  const recent = text === '' ? recentSearches() : []
  return (
    <div className="search">
      <div className="search__box">
        <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" fill="none">
          <path d="M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12Zm4.5-1.5L18 18" stroke="#55605b" strokeWidth="1.7" strokeLinecap="round" />
        </svg>
        <input
          ref={input}
          className="search__input"
          type="search"
          value={text}
          maxLength={LONGEST}
          autoFocus={window.matchMedia('(min-width: 768px)').matches}
          autoComplete="off"
          spellCheck={false}
          aria-label={t('search.label')}
          placeholder={t('search.placeholder')}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {text === '' ? (
          <kbd className="search__key">/</kbd>
        ) : (
          <button type="button" className="bare search__clear" onClick={() => setText('')} aria-label={t('search.clear')}>
            ×
          </button>
        )}
      </div>
      {recent.length > 0 && (
        <p className="search__recent small">
          <span className="muted">{t('search.recent')}</span>
          {recent.map((one) => (
            <button type="button" key={one} className="bare search__chip" onClick={() => setText(one)}>
              {one}
            </button>
          ))}
        </p>
      )}
    </div>
  )
}
