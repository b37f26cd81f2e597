import { describe, expect, it } from 'vitest'
import { applies, initialValues, toSend } from './SettingsForm'
import type { Setting } from './types'

const text = { zh: '主机', en: 'Host' }
const setting = (name: string, more: Partial<Setting> = {}): Setting => ({
  name, label: text, help: null, type: 'text', required: false, default: null, choices: [], advanced: false, when: null, ...more,
})
const SETTINGS = [
  setting('dialect', { type: 'choice', default: 'mysql' }),
  setting('host', { when: { dialect: ['mysql', 'mssql'] } }),
  setting('file', { when: { dialect: ['sqlite'] } }),
  setting('password', { type: 'secret' }),
]

describe('settings', () => {
  it('apply to what was chosen', () => {
    expect(applies(SETTINGS[1]!, { dialect: 'mssql' })).toBe(true)
    expect(applies(SETTINGS[1]!, { dialect: 'sqlite' })).toBe(false)
    expect(applies(SETTINGS[0]!, {})).toBe(true)
  })

  it('begin with the presets of the way', () => {
    expect(initialValues(SETTINGS, { dialect: 'sqlite' })).toEqual({ dialect: 'sqlite' })
    expect(initialValues(SETTINGS, {})).toEqual({ dialect: 'mysql' })
  })

  it('are sent without blanks and what belongs elsewhere; a password keeps its blanks', () => {
    const typed = { dialect: 'sqlite', host: 'left over', file: ' /srv/mes.db ', password: ' x ' }
    expect(toSend(SETTINGS, typed)).toEqual({ dialect: 'sqlite', file: '/srv/mes.db', password: ' x ' })
    expect(toSend(SETTINGS, { dialect: 'mysql', host: '', password: undefined! })).toEqual({ dialect: 'mysql' })
  })
})
