import { createContext, useCallback, useContext, useEffect, useState, type ReactNode } from 'react'
import type { Text } from '../api/types'
import type { Language } from '../format/time'
import { en } from './en'
import { zh } from './zh'

export type Key = keyof typeof zh
export type Translate = (key: Key, params?: Record<string, string | number>) => string

type State = {
  language: Language
  setLanguage: (language: Language) => void
  t: Translate
  /** A text of the server in the reader's language. */
  say: (text: Text | null | undefined) => string
}

const STORE = 'tenon.language'
const Context = createContext<State | null>(null)

function stored(): Language {
  try {
    return localStorage.getItem(STORE) === 'en' ? 'en' : 'zh'
  } catch {
    return 'zh'
  }
}

/** Fills `{name}` in a phrase. */
export function fill(phrase: string, params: Record<string, string | number> = {}): string {
  return phrase.replace(/\{([a-z]+)\}/g, (whole, name: string) => String(params[name] ?? whole))
}

/** Holds the reader's language, Chinese unless chosen otherwise. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, set] = useState<Language>(stored)
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
  }, [language])
  const setLanguage = useCallback((next: Language) => {
    set(next)
    try {
      localStorage.setItem(STORE, next)
    } catch {
      // A browser without storage asks again next time.
    }
  }, [])
  const dictionary: Record<Key, string> = language === 'zh' ? zh : en
  const state: State = {
    language,
    setLanguage,
    t: (key, params) => fill(dictionary[key], params),
    say: (text) => (text ? text[language] || text.zh : ''),
  }
  return <Context.Provider value={state}>{children}</Context.Provider>
}

/** The reader's language and its phrases. */
export function useLanguage(): State {
  const state = useContext(Context)
  if (state === null) throw new Error('useLanguage is used outside LanguageProvider')
  return state
}
