import { useEffect, useRef } from 'react'
import type { Station } from '../api/types'
import { useLanguage } from '../i18n'
import { StationStop } from './StationStop'
import './StationLine.css'

/** The operations as the stops of a line: across on a desk, down on a phone. */
export function StationLine({ stations }: { stations: Station[] }) {
  const { t } = useLanguage()
  const list = useRef<HTMLOListElement>(null)
  useEffect(() => {
    const here = list.current?.querySelector<HTMLElement>('[aria-current]')
    if (here && list.current) list.current.scrollLeft = here.offsetLeft - list.current.clientWidth / 3
  }, [])
  return (
    <ol className="line" ref={list} aria-label={t('station.line')} tabIndex={0}>
      {stations.map((station) => (
        <StationStop key={station.seq} station={station} />
      ))}
    </ol>
  )
}
