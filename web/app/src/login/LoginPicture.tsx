const SYSTEMS = [
  { y: 40, name: 'CRM' },
  { y: 110, name: 'MES' },
  { y: 180, name: 'WMS' },
  { y: 250, name: 'KIS' },
]

/** Four old systems, each left whole, meeting in one joint. */
export function LoginPicture() {
  return (
    <svg className="login__picture" viewBox="0 0 420 310" aria-hidden="true">
      {SYSTEMS.map(({ y, name }) => (
        <g key={name}>
          <rect x="8" y={y - 20} width="92" height="42" rx="6" fill="none" stroke="#9cc2b5" />
          <text x="54" y={y + 6} textAnchor="middle" fill="#d9e9e3" fontSize="15">
            {name}
          </text>
          <path
            d={`M100 ${y + 1} H150 C190 ${y + 1} 180 146 222 146`}
            fill="none"
            stroke="#9cc2b5"
            strokeDasharray="3 5"
          />
          <circle cx="150" cy={y + 1} r="3" fill="#d9a441" />
        </g>
      ))}
      <path d="M222 86h62v34h34v52h-34v34h-62z" fill="#f4f6f5" />
      <path d="M300 86h62v120h-62v-18h34v-84h-34z" fill="#d9a441" />
      <path d="M362 146h50" stroke="#f4f6f5" strokeWidth="2" />
      <path d="m404 139 8 7-8 7" fill="none" stroke="#f4f6f5" strokeWidth="2" />
    </svg>
  )
}
