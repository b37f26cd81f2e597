import { Select } from 'antd'
import { useLanguage } from '../i18n'
import type { SeenColumn } from './useColumns'

type Props = {
  label: string
  columns: SeenColumn[]
  value: string[]
  onChange: (columns: string[]) => void
  several?: boolean
  readOnly: boolean
  placeholder?: string
  id?: string
}

/** Chooses columns of the source by name, each shown with a value that was seen in it. */
export function ColumnSelect({ label, columns, value, onChange, several = true, readOnly, placeholder, id }: Props) {
  const { t } = useLanguage()
  const options = columns.map(({ name, comment, values }) => ({
    value: name,
    label: name,
    hint: comment ?? '',
    seen: values[0] ?? '',
  }))
  if (readOnly)
    return (
      <span {...(id && { id })} className="code columns__text">
        {value.join(' | ') || (placeholder ?? '–')}
      </span>
    )
  const shared = {
    ...(id && { id }),
    'aria-label': label,
    className: 'columns',
    options,
    placeholder: placeholder ?? t('map.none'),
    showSearch: { filterOption: matches },
    popupMatchSelectWidth: 360,
    optionRender: ({ data }: { data: (typeof options)[number] }) => (
      <span className="columns__option">
        <span className="code">{data.value}</span>
        <span className="muted small">{[data.hint, data.seen].filter(Boolean).join(' · ')}</span>
      </span>
    ),
  }
  if (several)
    return <Select<string[], (typeof options)[number]> {...shared} mode="multiple" value={value} onChange={onChange} />
  return (
    <Select<string, (typeof options)[number]>
      {...shared}
      allowClear
      value={value[0] ?? null}
      onChange={(one?: string) => onChange(one ? [one] : [])}
    />
  )
}

function matches(typed: string, option?: { value: string; hint: string; seen: string }): boolean {
  const sought = typed.trim().toLowerCase()
  return option !== undefined && [option.value, option.hint, option.seen].some((one) => one.toLowerCase().includes(sought))
}
