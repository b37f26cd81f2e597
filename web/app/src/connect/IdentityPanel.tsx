import { Checkbox } from 'antd'
import { useLanguage } from '../i18n'
import { ColumnSelect } from './ColumnSelect'
import type { Hints } from './draft'
import type { Draft, Identity, Target } from './types'
import type { SeenColumn } from './useColumns'

type Props = {
  draft: Draft
  target: Target
  columns: SeenColumn[]
  hints: Hints
  change: (change: Partial<Draft>) => void
  readOnly: boolean
}

/** How a row of master data is recognised as the same thing in other systems. */
export function IdentityPanel({ draft, target, columns, hints, change, readOnly }: Props) {
  const { t, say } = useLanguage()
  const identity: Identity = draft.identity ?? { code: '', name: '', keys: {} }
  const set = (more: Partial<Identity>): void => change({ identity: { ...identity, ...more } })
  const one = (name: string, label: string, value: string | undefined, pick: (column: string) => void) => (
    <div className="map__field" key={name}>
      <label htmlFor={`identity-${name}`}>{label}</label>
      <ColumnSelect
        id={`identity-${name}`}
        label={label}
        several={false}
        columns={columns}
        value={value ? [value] : []}
        readOnly={readOnly}
        onChange={([column]) => pick(column ?? '')}
      />
      {hints[`identity.${name}`] && <p className="muted small">{say(hints[`identity.${name}`])}</p>}
    </div>
  )
  const key = (code: string, column: string): void => {
    const { [code]: _, ...others } = identity.keys
    set({ keys: column ? { ...others, [code]: column } : others })
  }
  return (
    <>
      <h3 className="map__sub">{t('map.identity', { name: say(target.label) })}</h3>
      <p className="muted small">{t('map.identity_hint')}</p>
      <div className="map__grid">
        {one('code', t('map.identity_code'), identity.code, (column) => set({ code: column }))}
        {one('name', t('map.identity_name'), identity.name, (column) => set({ name: column }))}
        {target.keys.map(({ code, label }) =>
          one(`keys.${code}`, t('map.match', { name: say(label) }), identity.keys[code], (column) => key(code, column)),
        )}
      </div>
      <Checkbox
        checked={identity.founds ?? false}
        disabled={readOnly}
        onChange={(event) => set({ founds: event.target.checked })}
      >
        {t('map.founds', { name: say(target.label) })}
      </Checkbox>
    </>
  )
}
